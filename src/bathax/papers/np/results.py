"""Everything that is computed of NP."""

from typing import NamedTuple

from bathax.papers.np.binding import Binding
from bathax.papers.np.binding import binding as binding
from bathax.papers.np.memory import Memory
from bathax.papers.np.memory import memory as memory
from bathax.papers.np.relaxation import Relaxations
from bathax.papers.np.relaxation import relaxation as relaxation
from bathax.papers.np.reservoir import Exchange
from bathax.papers.np.reservoir import exchange as exchange


class Results(NamedTuple):
    """The results of the functions of these names."""

    relaxation: Relaxations
    memory: Memory
    exchange: Exchange
    binding: Binding

from .cavity.green import coefficients as coefficients
from .cavity.model import Cavity as Cavity
from .cavity.solvers import BornMarkov as BornMarkov
from .cavity.solvers import Status as Status
from .cavity.solvers import Volterra as Volterra
from .cavity.states import Coherent as Coherent
from .cavity.states import DensityMatrix as DensityMatrix
from .cavity.states import Fock as Fock
from .cavity.states import Gaussian as Gaussian
from .cavity.states import Mixture as Mixture
from .cavity.states import Squeezed as Squeezed
from .cavity.states import Thermal as Thermal
from .reservoir.band import SemicircleBand as SemicircleBand
from .reservoir.lorentzian import DrudeLorentz as DrudeLorentz
from .reservoir.lorentzian import Lorentzian as Lorentzian
from .reservoir.occupation import BoseEinstein as BoseEinstein
from .reservoir.occupation import Distribution as Distribution
from .reservoir.occupation import Uniform as Uniform
from .reservoir.ohmic import BandEdge as BandEdge
from .reservoir.ohmic import Ohmic as Ohmic
from .reservoir.reservoir import Reservoir as Reservoir
from .reservoir.spectral_density import SpectralDensity as SpectralDensity
from .reservoir.tabulated import Tabulated as Tabulated
from .solution import Solution as Solution
from .solution import solve as solve

__version__: str

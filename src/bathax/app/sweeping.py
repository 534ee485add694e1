"""`bathax sweep`: the sweep of a study."""

import argparse
import logging
from typing import Any

import jax

import bathax as bx
from bathax._console import say
from bathax.app import config
from bathax.app.config.varying import with_values
from bathax.studies.observe import observe
from bathax.studies.summaries import failures


def run(study: Any, text: str, arguments: argparse.Namespace) -> str:
    """Compute a sweep into its store; returns in words what failed, empty if nothing did."""
    if arguments.log:
        logging.basicConfig(format="bathax: %(message)s")
        logging.getLogger("bathax.sweep").setLevel(logging.INFO)
    axes, derivatives = study.sweep.build(study)
    paths = {name: path for path, name in study.sweep.names.items()}

    def point(**parameters: Any) -> dict[str, Any]:
        there = with_values(study, {paths[name]: value for name, value in parameters.items()})
        return observe(study.sweep.quantities, *there.build())

    dataset = bx.sweep(
        point,
        axes,
        derivatives=derivatives,
        memory=arguments.memory,
        store=arguments.out,
        resume=arguments.resume,
        overwrite=arguments.force,
        progress=not arguments.log,
        definition=config.definition(text, study),
    )
    if jax.process_index() > 0:
        return ""
    say(f"Written to {arguments.out}")
    return failures(dataset)

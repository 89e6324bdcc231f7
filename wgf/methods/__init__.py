"""How a problem is solved. `METHODS` is the one list of methods: name in a problem file → "module:Class"."""

from __future__ import annotations

from typing import Any

from wgf.registers import known, load

METHODS = {
    "finite-volume": "wgf.methods.finite_volume.method:FiniteVolume",
    "jko": "wgf.methods.jko.method:JKO",
    "quantile-jko": "wgf.methods.jko.method:QuantileJKO",
    "fipy": "wgf.methods.fipy.method:FiPyMesh",
    "characteristics": "wgf.methods.particles.characteristics:Characteristics",
    "pushforward": "wgf.methods.pushforward.method:Pushforward",
    "mirror-descent": "wgf.methods.geometry.mirror_descent:MirrorDescent",
    "wasserstein-fisher-rao": "wgf.methods.geometry.wasserstein_fisher_rao:WassersteinFisherRao",
    "particles": "wgf.methods.particles.method:Particles",
}


def method_class(name: str) -> Any:
    """The class of the method called `name`, imported when asked for."""
    return load(METHODS[known(name, METHODS, "method")])

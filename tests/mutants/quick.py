"""For mutmut's runs, ``-p tests.mutants.quick``: a property that fails has killed the mutant, so nothing is shrunk."""

from hypothesis import Phase, settings

settings.register_profile("quick", phases=[Phase.explicit, Phase.generate], database=None)
settings.load_profile("quick")  # profiles that a conftest registers later begin with this one

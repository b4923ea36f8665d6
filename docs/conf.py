"""How the documentation is built: `make docs`."""

import glasscortex

project = "glasscortex"
author = "the glasscortex developers"
release = glasscortex.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.intersphinx",
    "numpydoc",
    "myst_nb",
]
html_theme = "furo"
html_title = "glasscortex"
default_role = "code"  # `name` in a docstring is code
exclude_patterns = ["build"]

autosummary_generate = True
autodoc_default_options = {"members": True, "member-order": "bysource"}
autodoc_typehints = "none"  # docstrings give types, with shapes
numpydoc_show_class_members = False

myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 3
nb_execution_mode = "force"
nb_execution_raise_on_error = True

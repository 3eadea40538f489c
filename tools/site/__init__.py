"""The documentation site, built from nbs/: `make docs`.

`pages` turns a notebook into the source of a page, `reference` writes the documentation of what the package exports,
`build` has both rendered, by Quarto or by smalldocs, and looks whether every page is there.
"""

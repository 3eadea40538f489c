"""The documentation site, built from nbs/: `make docs`.

`pages` turns a notebook into the source of a page, `reference` writes the documentation of what the package exports,
`home` arranges the home page. `build` has all of them rendered by smalldocs and looks whether every page is there;
`finish` changes each built page, with `pictures`, and `social` draws what others show for a link.
"""

"""The metadata, read from settings.ini (pyproject.toml leaves these fields to this file)."""
import sys
from pathlib import Path
from setuptools import setup

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT))  # a build in isolation does not look beside this file
from tools.settings import requirements, settings

STATUSES = {'1': 'Planning', '2': 'Pre-Alpha', '3': 'Alpha', '4': 'Beta', '5': 'Production/Stable'}
url = settings['git_url']

setup(
    description=settings['description'],
    long_description=(ROOT/'README.md').read_text(encoding='utf-8'),
    long_description_content_type='text/markdown',
    author=settings['author'],
    author_email=settings['author_email'],
    url=url,
    project_urls={
        'Documentation': f"{settings['doc_host']}{settings['doc_baseurl']}/",
        'Source': url,
        'Changelog': f"{url}/blob/{settings['branch']}/CHANGELOG.md",
    },
    version=settings['version'],
    license=settings['license'],
    keywords=settings['keywords'].split(),
    classifiers=[
        f"Development Status :: {settings['status']} - {STATUSES[settings['status']]}",
        f"Intended Audience :: {settings['audience']}",
        f"Natural Language :: {settings['language']}",
        'Programming Language :: Python :: 3',
        *(f'Programming Language :: Python :: {version}' for version in settings['pythons'].split()),
        'Framework :: Jupyter',
        'Topic :: Scientific/Engineering :: Artificial Intelligence',
        'Typing :: Typed',
    ],
    install_requires=requirements(),
    extras_require={
        'lessons': requirements('lesson'),
        'onnx': requirements('onnx'),
        'lab': requirements('lesson', 'onnx', 'lab'),
        'dev': requirements('dev'),
    },
    entry_points={'console_scripts': settings['console_scripts'].split()},
    # The lessons travel inside the package, so that `lessonlib-notebooks` has them to copy.
    packages=['lessonlib', 'lessonlib.notebooks'],
    package_dir={'lessonlib': 'lessonlib', 'lessonlib.notebooks': 'nbs'},
    package_data={
        'lessonlib': ['models/**/*', 'data/**/*', 'py.typed'],
        'lessonlib.notebooks': ['*.ipynb', 'images/*', 'posts/*.ipynb', 'references.bib'],
    },
    include_package_data=False,
    zip_safe=False,
)

"""The metadata, read from settings.ini (pyproject.toml leaves these fields to this file)."""
from configparser import ConfigParser
from pathlib import Path
from setuptools import setup

config = ConfigParser(delimiters=['='], interpolation=None)
config.read('settings.ini', encoding='utf-8')
settings = config['DEFAULT']
statuses = {'1': 'Planning', '2': 'Pre-Alpha', '3': 'Alpha', '4': 'Beta', '5': 'Production/Stable'}
url = settings['git_url']
lessons = settings['lesson_requirements'].split()
docs = settings['doc_host'] + settings['doc_baseurl'] + '/'

setup(
    description=settings['description'],
    long_description=Path('README.md').read_text(encoding='utf-8'),
    long_description_content_type='text/markdown',
    author=settings['author'],
    author_email=settings['author_email'],
    url=url,
    project_urls={'Documentation': docs, 'Source': url, 'Changelog': f'{url}/blob/{settings["branch"]}/CHANGELOG.md'},
    version=settings['version'],
    license=settings['license'],
    keywords=settings['keywords'].split(),
    classifiers=[
        f'Development Status :: {settings["status"]} - {statuses[settings["status"]]}',
        f'Intended Audience :: {settings["audience"]}',
        f'Natural Language :: {settings["language"]}',
        'Programming Language :: Python :: 3',
        f'Programming Language :: Python :: {settings["min_python"]}',
        'Framework :: Jupyter',
        'Topic :: Scientific/Engineering :: Artificial Intelligence',
    ],
    install_requires=settings['requirements'].split(),
    extras_require={'lessons': lessons, 'lab': lessons + settings['lab_requirements'].split(), 'dev': settings['dev_requirements'].split()},
    entry_points={'console_scripts': settings['console_scripts'].split()},
    # The lessons travel inside the package, so that `lessonlib-notebooks` has them to copy.
    packages=['lessonlib', 'lessonlib.notebooks'],
    package_dir={'lessonlib': 'lessonlib', 'lessonlib.notebooks': 'nbs'},
    package_data={'lessonlib': ['models/**/*', 'data/**/*'], 'lessonlib.notebooks': ['*.ipynb', 'images/*', 'posts/*.ipynb', 'references.bib']},
    include_package_data=False,
    zip_safe=False,
)

"""Settings for a site that runs behind Portico; they fit Django 3.2 and later."""

import os
from pathlib import Path

import django
from django.core.management.utils import get_random_secret_key

BASE_DIR = Path(__file__).resolve().parent.parent

# Everything that the site writes: the database, uploads, the key.
DATA_DIR = BASE_DIR / "data"
DATA_DIR.mkdir(exist_ok=True)


def read_secret_key():
    """Returns the key in data/secret.key, made at the first start; all instances must have the same one."""
    path = DATA_DIR / "secret.key"
    if not path.exists():
        path.write_text(get_random_secret_key())
        path.chmod(0o600)
    return path.read_text()


SECRET_KEY = os.environ.get("DJANGO_SECRET_KEY") or read_secret_key()
DEBUG = False

# Portico passes on the Host that the browser sent, so Django checks the real one and builds right addresses from it:
# USE_X_FORWARDED_HOST is not needed.
ALLOWED_HOSTS = os.environ.get("DJANGO_ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]").split(",")

# When HTTPS ends in front of Django, add
#   SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
#   SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
# It is safe behind Portico, which drops what a client sends under that name and states the real scheme. It would not be
# if clients could reach Gunicorn directly.

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "pages",
]

# Portico serves the static files, so there is no middleware for them here.
MIDDLEWARE = [
    "portico_cache.PorticoCacheMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "project.urls"
WSGI_APPLICATION = "project.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": DATA_DIR / "db.sqlite3",
        "OPTIONS": {"timeout": 20},
    },
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True

LOGIN_URL = "/login/"
LOGIN_REDIRECT_URL = "/notes/"
LOGOUT_REDIRECT_URL = "/"

# Where pages of the cache are purged (portico_cache.py): the admin listener of Portico; empty for nowhere.
PORTICO_ADMIN = os.environ.get("PORTICO_ADMIN", "http://127.0.0.1:9180")

# `manage.py collectstatic` fills the folder that Portico serves at /static/, with the hash of each file in its name.
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
MANIFEST_STORAGE = "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"
if django.VERSION >= (4, 2):
    STORAGES = {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
        "staticfiles": {"BACKEND": MANIFEST_STORAGE},
    }
else:
    STATICFILES_STORAGE = MANIFEST_STORAGE

# Uploaded files go to disk as they arrive, never whole into memory.
MEDIA_URL = "/media/"
MEDIA_ROOT = BASE_DIR / "media"
MEDIA_ROOT.mkdir(exist_ok=True)
# Files for signed-in users only: Django decides, Portico sends them (pages.views.send_document).
PROTECTED_ROOT = BASE_DIR / "protected"
PROTECTED_ROOT.mkdir(exist_ok=True)
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.TemporaryFileUploadHandler"]
FILE_UPLOAD_TEMP_DIR = DATA_DIR
FILE_UPLOAD_PERMISSIONS = 0o644

"""Settings for a chat that runs behind Portico; they fit Django 3.2 and Channels 4 and later."""

import os
from pathlib import Path

from django.core.management.utils import get_random_secret_key

BASE_DIR = Path(__file__).resolve().parent.parent

# One process, no database: a key that changes at each start costs visitors their name, and nothing else.
SECRET_KEY = os.environ.get("DJANGO_SECRET_KEY") or get_random_secret_key()
DEBUG = False

# Portico passes on Host and Origin as the browser sent them, which is what Channels compares.
ALLOWED_HOSTS = os.environ.get("DJANGO_ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]").split(",")

INSTALLED_APPS = ["django.contrib.sessions", "django.contrib.staticfiles", "channels", "chat"]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
]
SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"

ROOT_URLCONF = "project.urls"
ASGI_APPLICATION = "project.asgi.application"

# Several instances need one that they share: channels_redis.
CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}

TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True, "OPTIONS": {}}]

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"

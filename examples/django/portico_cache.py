"""
Pages that Portico keeps, and how they are purged when what they show changes. One file to copy into a site; Django 3.2 and later.

    MIDDLEWARE = ["portico_cache.PorticoCacheMiddleware", ...]   # first of all

    @cached_by_portico(600, "posts")
    def show_posts(request): ...

    purge_when_saved(Post, lambda post: ["posts", f"post-{post.pk}"])

The route in portico.yaml lets visitors with a session go past the cache, both ways:

    cache: { bypass: { cookies: [sessionid, messages] } }
"""

import json
import logging
import urllib.request
from functools import wraps

from django.conf import settings
from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.utils.cache import patch_vary_headers

logger = logging.getLogger(__name__)

# Never through the proxy that the environment may name: the admin listener is on this machine.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def cached_by_portico(seconds, *tags, stale_if_error=86_400):
    """
    Lets Portico keep the view's page for visitors without a session.

    `tags` are texts, or functions that get the view's arguments and return one or more texts. Browsers ask each time
    (max-age=0): a purge does not reach what they have kept.
    """

    def decorate(view):
        @wraps(view)
        def decorated(request, *args, **kwargs):
            response = view(request, *args, **kwargs)
            if _is_personal(request):
                response.setdefault("Cache-Control", "private")
            elif response.status_code == 200 and not response.has_header("Cache-Control"):
                response["Cache-Control"] = f"public, max-age=0, s-maxage={seconds}"
                # s-maxage forbids stale use to shared caches; Portico reads this field first.
                response["CDN-Cache-Control"] = f"max-age={seconds}, stale-if-error={stale_if_error}"
                response["Cache-Tag"] = ", ".join(_texts_of(tags, args, kwargs))
                response.portico_public = True
            return response

        return decorated

    return decorate


class PorticoCacheMiddleware:
    """
    Stands first in MIDDLEWARE: takes `Cookie` out of Vary on pages of `cached_by_portico` that set no cookie.

    Django names Cookie as soon as a template looks at `user`; then each visitor with a cookie, be it of a statistics
    program, would have a copy of the page. Those with a session never meet the cache, so that nothing is lost.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        if getattr(response, "portico_public", False) and not response.cookies:
            names = [name.strip() for name in response.get("Vary", "").split(",")]
            del response["Vary"]
            kept = [name for name in names if name and name.lower() != "cookie"]
            if kept:
                patch_vary_headers(response, kept)
        return response


def purge_when_saved(model, tags_of):
    """Purges the tags that `tags_of(instance)` returns when an instance was saved or deleted, and the transaction has ended."""

    def purge(instance, **_kwargs):
        tags = list(tags_of(instance))
        transaction.on_commit(lambda: purge_tags(*tags))

    uid = f"portico-cache-{model._meta.label}"
    post_save.connect(purge, sender=model, weak=False, dispatch_uid=uid)
    post_delete.connect(purge, sender=model, weak=False, dispatch_uid=uid)


def purge_tags(*tags, soft=False):
    """
    Tells Portico that everything with one of the tags has changed. Every worker obeys when it returns.

    What fails is logged, never raised: a page that is old for a while is better than a form that cannot be saved.
    Returns whether it was purged.
    """
    address = getattr(settings, "PORTICO_ADMIN", "http://127.0.0.1:9180")
    if not address or not tags:
        return False
    body = json.dumps({"tags": tags, "soft": soft}).encode()
    request = urllib.request.Request(f"{address}/cache/purge", body, {"Content-Type": "application/json"})
    try:
        with _opener.open(request, timeout=getattr(settings, "PORTICO_TIMEOUT", 2)) as answer:
            return answer.status == 200
    except (OSError, ValueError) as error:
        logger.error("Portico did not purge %s: %s", ", ".join(tags), error)
        return False


def _is_personal(request):
    return settings.SESSION_COOKIE_NAME in request.COOKIES or "HTTP_AUTHORIZATION" in request.META


def _texts_of(tags, args, kwargs):
    for tag in tags:
        texts = tag(*args, **kwargs) if callable(tag) else tag
        yield from [texts] if isinstance(texts, str) else texts

"""The pages: a small site with one view for each thing that a front server must do right."""

import hashlib
import os
import time
from urllib.parse import quote

from django.contrib.auth.decorators import login_required
from django.core.files.storage import default_storage
from django.http import HttpResponse, JsonResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from portico_cache import cached_by_portico

from .forms import NoteForm, UploadForm
from .models import Note

MEGABYTE = 1024 * 1024


@require_GET
@cached_by_portico(600, "notes")
def show_start(request):
    return render(request, "pages/start.html", {"notes": Note.objects.count()})


@login_required
@require_http_methods(["GET", "POST"])
def show_notes(request):
    """Lists the notes; a POST adds one and redirects, by an absolute address that has the host of the browser."""
    form = NoteForm(request.POST or None)
    if form.is_valid():
        form.instance.author = request.user
        form.save()
        return redirect(request.build_absolute_uri(request.path))
    notes = Note.objects.select_related("author")[:50]
    return render(request, "pages/notes.html", {"form": form, "notes": notes})


@require_http_methods(["GET", "POST"])
def take_upload(request):
    """Takes a file of any size, keeps it among the media, and tells its size and SHA-256."""
    form = UploadForm(request.POST or None, request.FILES or None)
    if not form.is_valid():
        return render(request, "pages/upload.html", {"form": form})
    uploaded = form.cleaned_data["file"]
    digest = hashlib.sha256()
    for chunk in uploaded.chunks(MEGABYTE):
        digest.update(chunk)
    # The file has been on disk since it arrived: keeping it is a rename.
    stored = default_storage.save(f"uploads/{uploaded.name}", uploaded)
    result = {"url": default_storage.url(stored), "size": uploaded.size, "sha256": digest.hexdigest()}
    if "application/json" in request.headers.get("Accept", ""):
        return JsonResponse(result)
    return render(request, "pages/upload.html", {"form": UploadForm(), "result": result})


@require_GET
def stream_lines(request):
    """Sends a line, waits, sends the next: each must reach the browser at once."""
    lines = number_in(request, "lines", 20, 1000)
    pause = number_in(request, "pause", 250, 10_000) / 1000

    def generate():
        for line in range(1, lines + 1):
            yield f"line {line} of {lines}\n"
            if line < lines:
                time.sleep(pause)

    return StreamingHttpResponse(generate(), content_type="text/plain; charset=utf-8")


@require_GET
def send_download(request):
    """Sends as many megabytes as asked for. Megabyte number n holds SHA-256(n), over and over."""
    megabytes = number_in(request, "megabytes", 10, 10_000)

    def generate():
        for number in range(megabytes):
            digest = hashlib.sha256(str(number).encode()).digest()
            yield digest * (MEGABYTE // len(digest))

    response = StreamingHttpResponse(generate(), content_type="application/octet-stream")
    response["Content-Length"] = megabytes * MEGABYTE
    response["Content-Disposition"] = f'attachment; filename="{megabytes}-megabytes.bin"'
    return response


@login_required
@require_GET
def send_document(request, name):
    """Decides who may have a file of protected/; Portico sends it, ranges and all, while this worker is free again."""
    response = HttpResponse()
    response["X-Accel-Redirect"] = f"/protected/{quote(name)}"
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(os.path.basename(name), safe='')}"
    response["Cache-Control"] = "private, no-cache"
    # Portico knows the type by the name of the file.
    del response["Content-Type"]
    return response


@require_GET
def answer_slowly(request):
    milliseconds = number_in(request, "milliseconds", 2000, 600_000)
    time.sleep(milliseconds / 1000)
    return render(request, "pages/slow.html", {"milliseconds": milliseconds})


@require_GET
def show_request(request):
    """Tells what Django knows of the request, and which instance answers."""
    response = JsonResponse(
        {
            "instance": os.environ.get("INSTANCE", ""),
            "pid": os.getpid(),
            "host": request.get_host(),
            "scheme": request.scheme,
            "address": request.META.get("REMOTE_ADDR", ""),
            "headers": dict(request.headers),
        }
    )
    response["Cache-Control"] = "no-store"
    return response


def number_in(request, name, default, limit):
    """Returns a whole number from the query, between 1 and `limit`."""
    try:
        return max(1, min(limit, int(request.GET.get(name, default))))
    except ValueError:
        return default

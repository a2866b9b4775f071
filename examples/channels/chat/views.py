"""The page around the chat."""

from django.shortcuts import render


def room(request):
    """Shows the room; the name in `?name=` goes into the session, which the WebSocket has as well."""
    request.session["name"] = request.GET.get("name", "Anonymous")[:40]
    return render(request, "room.html")

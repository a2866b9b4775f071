from django.contrib.auth import views as auth_views
from django.urls import path

from . import views

urlpatterns = [
    path("", views.show_start, name="start"),
    path("notes/", views.show_notes, name="notes"),
    path("upload/", views.take_upload, name="upload"),
    path("stream/", views.stream_lines, name="stream"),
    path("download/", views.send_download, name="download"),
    path("documents/<path:name>", views.send_document, name="document"),
    path("slow/", views.answer_slowly, name="slow"),
    path("whoami/", views.show_request, name="whoami"),
    path("login/", auth_views.LoginView.as_view(), name="login"),
    path("logout/", auth_views.LogoutView.as_view(), name="logout"),
]

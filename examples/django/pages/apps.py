from django.apps import AppConfig


class PagesConfig(AppConfig):
    name = "pages"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self):
        from portico_cache import purge_when_saved

        from .models import Note

        # The front page tells how many there are.
        purge_when_saved(Note, lambda note: ["notes", f"note-{note.pk}"])

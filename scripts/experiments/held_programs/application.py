"""A Django site with one page, which asks the database which server answers. Its settings are in the environment."""

import json
import os

from django.conf import settings  # type: ignore[import]
from django.core.wsgi import get_wsgi_application  # type: ignore[import]
from django.db import connection  # type: ignore[import]
from django.http import HttpRequest, HttpResponse  # type: ignore[import]
from django.urls import path  # type: ignore[import]


def page(_: HttpRequest) -> HttpResponse:
    """The server that answered."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_is_in_recovery(), n from held where id = 1")
        recovers, _n = cursor.fetchone()
    return HttpResponse("replica" if recovers else "primary", content_type="text/plain")


urlpatterns = [path("", page)]
settings.configure(
    ALLOWED_HOSTS=["*"],
    DATABASES={"default": {"ENGINE": "django.db.backends.postgresql", **json.loads(os.environ["HELD_DATABASE"])}},
    LOGGING_CONFIG=None,
    ROOT_URLCONF=__name__,
    SECRET_KEY="for tests",
)
application = get_wsgi_application()

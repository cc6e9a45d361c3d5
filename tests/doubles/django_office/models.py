from typing import Any

from django.db import models


class Case(models.Model):  # type: ignore[misc]  # Django ships no types
    number = models.CharField(max_length=20)
    form = models.CharField(max_length=10)
    status = models.CharField(max_length=100)
    description = models.TextField(blank=True)
    filed = models.DateField()

    class Meta:
        app_label = "django_office"

    def __str__(self) -> str:
        return str(self.number)


Objects: Any = Case.objects

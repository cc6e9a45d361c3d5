from typing import Any, ClassVar

from django.contrib import admin

from tests.doubles.django_office.models import Case


@admin.register(Case)
class CaseAdmin(admin.ModelAdmin):  # type: ignore[misc]  # Django ships no types
    list_display: ClassVar[Any] = ("number", "form", "status")
    list_per_page = 2
    ordering: ClassVar[Any] = ("number",)

from django.db import models


class Note(models.Model):
    title = models.CharField(max_length=100, unique=True)
    body = models.TextField()
    # The default lives in the database too: version 1 goes on writing notes without this column.
    author = models.CharField(max_length=60, db_default="anonymous")
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]

    def __str__(self):
        return self.title

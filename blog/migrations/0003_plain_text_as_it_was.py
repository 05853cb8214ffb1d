from django.db import migrations, transaction
from django.template.defaultfilters import linebreaks


def fill_in(apps, schema_editor):
    """Store the posts that are there as pages have shown them until now."""
    posts = apps.get_model("blog", "Post").objects.using(schema_editor.connection.alias)
    last = 0
    while batch := posts.filter(pk__gt=last).order_by("pk").values_list("pk", "content")[:1000]:
        with transaction.atomic():  # a thousand at a time: members go on logging in
            for last, content in batch:
                posts.filter(pk=last).update(excerpt=linebreaks(content, autoescape=True))


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ("blog", "0002_writing"),
    ]

    operations = [
        migrations.RunPython(fill_in, migrations.RunPython.noop, elidable=True),
    ]

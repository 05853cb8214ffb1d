"""
Sessions are named by a digest of their key, and the column `address` of events is called `email`.

The table of sessions is emptied, and everybody logs in anew: a row of before is named by the key
itself, which nobody's digest is. The events keep their column and values, which processes that
still run the former code go on writing.
"""

from django.db import migrations, models


def delete_sessions(apps, schema_editor):
    apps.get_model('users', 'Session').objects.all().delete()


class Migration(migrations.Migration):

    dependencies = [
        ('users', '0003_security_events'),
    ]

    operations = [
        migrations.RunPython(delete_sessions, migrations.RunPython.noop),
        migrations.AlterField(
            model_name='session',
            name='session_key',
            field=models.CharField(max_length=64, primary_key=True, serialize=False, verbose_name='digest of the session key'),
        ),
        # On the way back: former code would take digests, which pages show, for keys.
        migrations.RunPython(migrations.RunPython.noop, delete_sessions),
        migrations.SeparateDatabaseAndState(state_operations=[
            migrations.RemoveIndex(model_name='securityevent', name='event_of_address'),
            migrations.RemoveIndex(model_name='securityevent', name='event_of_place'),
            migrations.RemoveField(model_name='securityevent', name='address'),
            migrations.AddField(
                model_name='securityevent',
                name='email',
                field=models.CharField(db_column='address', help_text='A digest stands for what was no email: it may have been a password.', max_length=254),
            ),
            migrations.AddIndex(
                model_name='securityevent',
                index=models.Index(fields=['email', 'kind', 'time'], name='event_of_address'),
            ),
            migrations.AddIndex(
                model_name='securityevent',
                index=models.Index(fields=['email', 'network', 'kind', 'time'], name='event_of_place'),
            ),
        ]),
        migrations.AlterField(
            model_name='securityevent',
            name='kind',
            field=models.CharField(choices=[('registered', 'Registered'), ('e-mail tried', 'Sign-up with this email refused'), ('login', 'Logged in'), ('login failed', 'Password refused'), ('logout', 'Logged out'), ('password confirmed', 'Current password confirmed'), ('password changed', 'Password changed'), ('reset asked', 'Password reset requested'), ('reset used', 'Password reset'), ('confirmation asked', 'Email confirmation requested'), ('e-mail confirmed', 'Email confirmed'), ('e-mail changed', 'Email changed'), ('session ended', 'Session ended'), ('account deleted', 'Account deleted'), ('throttled', 'Too many attempts')], max_length=24),
        ),
        migrations.AlterField(
            model_name='securityevent',
            name='network',
            field=models.GenericIPAddressField(help_text='What the throttle counts: an IPv4 address, or the /64 of an IPv6 one.', null=True),
        ),
    ]

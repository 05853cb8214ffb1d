from django.contrib.auth.models import AbstractUser
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.validators import MinLengthValidator
from django.db import models
from django.utils import timezone


class User(AbstractUser):
    username = models.CharField(
        max_length=20,
        unique=True,
        validators=[UnicodeUsernameValidator(), MinLengthValidator(2)],
        error_messages={"unique": "That username is taken. Please choose a different one."},
    )
    email = models.EmailField(
        unique=True,
        error_messages={"unique": "That email is taken. Please choose a different one."},
    )
    picture = models.ImageField(upload_to="pictures/", default="default.jpg")

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ["username"]


class Post(models.Model):
    title = models.CharField(max_length=100)
    date_posted = models.DateTimeField(default=timezone.now)
    content = models.TextField()
    author = models.ForeignKey(User, on_delete=models.CASCADE)

    class Meta:
        ordering = ["-date_posted"]

    def __str__(self):
        return self.title

"""What people fill in."""

from flask_wtf import FlaskForm
from wtforms import BooleanField, EmailField, PasswordField, StringField, SubmitField
from wtforms.validators import DataRequired, Email, EqualTo, Length, ValidationError

from .models import User, db


class PublicUserForm(FlaskForm):
    """The username and email of a member, which nobody else may have."""

    username = StringField("Username", validators=[DataRequired(), Length(min=2, max=20)])
    email = EmailField("Email", validators=[DataRequired(), Email(), Length(max=120)])

    def validate_username(self, field):
        if is_taken(field, User.username):
            raise ValidationError("That username is taken. Please choose a different one.")

    def validate_email(self, field):
        if is_taken(field, User.email):
            raise ValidationError("That email is taken. Please choose a different one.")


def is_taken(field, column):
    """Return whether somebody has the value of `field`, unless it is what was there before."""
    if field.data == field.object_data:
        return False
    return db.session.scalar(db.select(User).where(column == field.data)) is not None


class RegistrationForm(PublicUserForm):
    password = PasswordField("Password", validators=[DataRequired()])
    confirm_password = PasswordField(
        "Confirm Password", validators=[DataRequired(), EqualTo("password")]
    )
    submit = SubmitField("Sign Up")


class LoginForm(FlaskForm):
    email = EmailField("Email", validators=[DataRequired(), Email()])
    password = PasswordField("Password", validators=[DataRequired()])
    remember = BooleanField("Remember Me")
    submit = SubmitField("Login")


class AccountForm(PublicUserForm):
    submit = SubmitField("Update")

"""
The tutorial's Flask app, for the benchmark to run beside the site.

It does what the tutorial's app does after the part on user authentication, and has the account
form and the pages of a post and of an author of those after it, without the upload. Its lists
show excerpts and its sidebar the newest posts, as on the site. It is written as the guides of Flask
and its extensions say, with their defaults: sessions in a signed cookie, SQLite without options,
bcrypt of cost 12, one hash a login if the e-mail is known and none if it is not.

    DATABASE=site.sqlite3 python -m bench.flask_peer.seed --users 1 --posts 10
    DATABASE=site.sqlite3 gunicorn -w 2 bench.flask_peer:app
    DATABASE=site.sqlite3 gunicorn -w 2 -k gthread --threads 4 bench.flask_peer:app

DATABASE is the path of the SQLite file. The URLs have no slash at the end. Forms are posted
with the `csrf_token` of their page, and these fields:

    /login      email, password, remember ("y", or left out)
    /register   username, email, password, confirm_password
    /account    username, email

/logout is a link, so a GET. Style sheets, scripts and pictures are linked as on the site but not
here, because only pages are measured.
"""

import os
from pathlib import Path
from urllib.parse import urlsplit

from flask import Flask, flash, redirect, render_template, request, url_for
from flask_bcrypt import Bcrypt
from flask_login import LoginManager, current_user, login_required, login_user, logout_user
from sqlalchemy.orm import joinedload

from .forms import AccountForm, LoginForm, RegistrationForm
from .models import Post, User, db

DATABASE = Path(os.environ.get("DATABASE", Path(__file__).parent / "site.sqlite3")).resolve()

app = Flask(__name__)
app.config["SQLALCHEMY_DATABASE_URI"] = f"sqlite:///{DATABASE}"
# In the open, because nobody's account is in here: a benchmark's peer is not put on the internet.
app.config["SECRET_KEY"] = "a benchmark has no secrets"

db.init_app(app)
bcrypt = Bcrypt(app)
login_manager = LoginManager(app)
login_manager.login_view = "login"
login_manager.login_message_category = "info"


@login_manager.user_loader
def load_user(user_id):
    return db.session.get(User, int(user_id))


def is_local(target):
    """Return whether `target` is a path on this site, as Flask-Login asks to check of `next`."""
    parts = urlsplit(target)
    return target.startswith("/") and "\\" not in target and not (parts.scheme or parts.netloc)


@app.context_processor
def sidebar():
    return {"latest_posts": db.session.scalars(newest_first().limit(5)).all()}


def newest_first():
    return db.select(Post).order_by(Post.date_posted.desc())


@app.get("/")
@app.get("/home")
def home():
    posts = db.paginate(newest_first().options(joinedload(Post.author)), per_page=10)
    return render_template("home.html", posts=posts)


@app.get("/post/<int:post_id>")
def post(post_id):
    return render_template("post.html", post=db.get_or_404(Post, post_id))


@app.get("/user/<string:username>")
def user_posts(username):
    user = db.first_or_404(db.select(User).filter_by(username=username))
    posts = db.paginate(newest_first().filter_by(author=user), per_page=10)
    return render_template("user_posts.html", posts=posts, user=user)


@app.get("/about")
def about():
    return render_template("about.html")


@app.route("/register", methods=["GET", "POST"])
def register():
    if current_user.is_authenticated:
        return redirect(url_for("home"))
    form = RegistrationForm()
    if form.validate_on_submit():
        password = bcrypt.generate_password_hash(form.password.data).decode()
        user = User(username=form.username.data, email=form.email.data, password=password)
        db.session.add(user)
        db.session.commit()
        flash("Your account has been created! You are now able to log in", "success")
        return redirect(url_for("login"))
    return render_template("register.html", form=form)


@app.route("/login", methods=["GET", "POST"])
def login():
    if current_user.is_authenticated:
        return redirect(url_for("home"))
    form = LoginForm()
    if form.validate_on_submit():
        user = db.session.scalar(db.select(User).filter_by(email=form.email.data))
        if user and bcrypt.check_password_hash(user.password, form.password.data):
            login_user(user, remember=form.remember.data)
            target = request.args.get("next", "")
            return redirect(target if is_local(target) else url_for("home"))
        flash("Login Unsuccessful. Please check email and password", "danger")
    return render_template("login.html", form=form)


@app.get("/logout")
def logout():
    logout_user()
    return redirect(url_for("home"))


@app.route("/account", methods=["GET", "POST"])
@login_required
def account():
    form = AccountForm(obj=current_user)
    if form.validate_on_submit():
        current_user.username = form.username.data
        current_user.email = form.email.data
        db.session.commit()
        flash("Your account has been updated.", "success")
        return redirect(url_for("account"))
    return render_template("account.html", form=form)

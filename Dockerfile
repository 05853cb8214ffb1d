# The site in a container, for compose.yaml or by itself. docs/deploy.md says how to run it.
#   docker build --tag blog .
# podman keeps the health check with: podman build --format docker --tag blog .

FROM debian:13-slim AS build
RUN apt-get update && apt-get install --yes --no-install-recommends ca-certificates python3-venv
WORKDIR /srv/blog
COPY requirements.txt .
# Only what the site runs on; pip itself is gone again, since nothing is installed later.
RUN sed '/^# Not needed to serve/,$d' requirements.txt > /tmp/requirements.txt \
    && python3 -m venv .venv \
    && .venv/bin/pip install --no-cache-dir --requirement /tmp/requirements.txt \
    && .venv/bin/pip uninstall --yes pip
# What .dockerignore leaves.
COPY . .
# Compiled here, because nothing can be written where it runs. The key signs nothing.
RUN .venv/bin/python -m compileall -q blog blog_project imports users gunicorn.conf.py manage.py \
    && DEBUG=false SECRET_KEY=of-the-build-alone-0123456789-0123456789-0123456789 ALLOWED_HOSTS=build \
    .venv/bin/python manage.py collectstatic --noinput --verbosity 0

FROM debian:13-slim
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates python3 \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/* \
    && useradd --uid 10001 --home-dir /srv/blog --no-create-home --shell /usr/sbin/nologin blog \
    && install -d -o blog -g blog -m 750 /var/lib/blog
# Belongs to root: whoever breaks into the site cannot change its code.
COPY --from=build /srv/blog /srv/blog
WORKDIR /srv/blog
# manage.py is the developer's tool, and would turn DEBUG on.
ENV PATH=/srv/blog/.venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    DEBUG=false \
    DATABASE_URL=sqlite:////var/lib/blog/db.sqlite3 \
    MEDIA_ROOT=/var/lib/blog/media
VOLUME /var/lib/blog
# The number, which says to whoever runs it that it is not root.
USER 10001:10001
EXPOSE 8000
# Whether it lives, not whether the database does: nobody restarts it for that.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
# To the network of the containers, where a proxy alone may reach it.
CMD ["gunicorn", "--bind", "0.0.0.0:8000"]

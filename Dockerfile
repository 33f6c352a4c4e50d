# One image for web, worker, beat and sequencer; docker-compose.yml says which command each runs.
# It holds no key and no password: without DJANGO_SECRET_KEY, DATABASE_URL and REDIS_URL nothing starts.
ARG PYTHON_IMAGE=python:3.12-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
COPY requirements/base.txt /build/base.txt
RUN python -m venv /venv \
    && /venv/bin/python -m pip install --quiet --require-hashes --only-binary :all: -r /build/base.txt

FROM ${PYTHON_IMAGE}
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    DJANGO_SETTINGS_MODULE=config.settings \
    REVIEWAPP_VAR=/app/var \
    REVIEWAPP_FILES=/data/files \
    REVIEWAPP_KEYS=/data/keys \
    REVIEWAPP_ERASURES=/data/erasures \
    REVIEWAPP_VERIFIER=/data/verifier \
    REVIEWAPP_WITNESS_KEYS=/data/witness
RUN groupadd --system --gid 10001 reviewapp \
    && useradd --system --uid 10001 --gid reviewapp --home-dir /app --shell /usr/sbin/nologin reviewapp \
    && install --directory --owner=reviewapp --group=reviewapp --mode=0700 /data /data/erasures /data/files /data/heads \
        /data/keys /data/verifier /data/witness
COPY --from=build /venv /venv
WORKDIR /app
COPY . /app
# The collected files belong to the image, not to a volume: a new image brings its own. The values below serve this one
# command only; nothing of them is in the image, and no server is asked.
RUN DJANGO_SECRET_KEY="$(python -c 'import secrets; print(secrets.token_urlsafe(64))')" \
    DATABASE_URL=postgresql://nobody@localhost/none REDIS_URL=redis://localhost/0 \
    python manage.py collectstatic --no-input -v 0 -i rest_framework -i guardian -i redoc \
    && python -m compileall -q config reviewapp
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
CMD ["python", "-m", "granian", "--interface", "wsgi", "--host", "0.0.0.0", "--port", "8000", "--http", "1", "--no-ws", \
     "--workers", "2", "--blocking-threads", "4", "--respawn-failed-workers", "--workers-kill-timeout", "20", \
     "config.wsgi:application"]

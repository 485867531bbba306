# The service for production: `serve` (the default), `worker` and `migrate` from one image. PostgreSQL is somewhere else,
# so the embedded one is not installed.

FROM python:3.13.16-slim-bookworm AS build
WORKDIR /service
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
RUN python -m venv /venv
# Before the code, so that a change of code does not install everything again.
COPY requirements/build.txt requirements/run.txt requirements/
RUN /venv/bin/pip install --require-hashes -r requirements/build.txt -r requirements/run.txt
COPY pyproject.toml README.md ./
COPY app app
# Editable, so that the code finds its migrations at the same place as in a checkout.
RUN /venv/bin/pip install --no-deps --no-build-isolation --editable . \
    && /venv/bin/python -m compileall -q app \
    && /venv/bin/pip uninstall --yes setuptools pip

FROM python:3.13.16-slim-bookworm
WORKDIR /service
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin portal
COPY --from=build /venv /venv
COPY --from=build /service /service
COPY alembic.ini ./
COPY migrations migrations
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001
EXPOSE 8000
# The image has no curl. Whether the database answers is /readyz, for whoever routes the traffic.
HEALTHCHECK --interval=10s --timeout=3s --start-period=15s --retries=3 \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]
ENTRYPOINT ["portal-access"]
CMD ["serve", "--host", "0.0.0.0"]

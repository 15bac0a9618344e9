ARG PYTHON=3.13

FROM python:${PYTHON}-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /source
COPY requirements.lock ./
RUN pip download --require-hashes --only-binary :all: --dest /wheels --requirement requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY repositories repositories
COPY service service
# From here on nothing is fetched: the locked wheels are all there is to choose from. Of those, the project's own
# requirements are installed, not the embedded database servers.
RUN pip wheel --no-index --find-links /wheels --no-deps --wheel-dir /wheels . \
 && python -m venv --without-pip /opt/diglot \
 && pip --python /opt/diglot/bin/python install --no-index --find-links /wheels diglot

FROM python:${PYTHON}-slim
LABEL org.opencontainers.image.title="diglot" \
      org.opencontainers.image.description="One REST API over PostgreSQL and MongoDB" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN useradd --system --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin diglot
COPY --from=build /opt/diglot /opt/diglot
ENV PATH=/opt/diglot/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    DIGLOT_HOST=0.0.0.0 \
    DIGLOT_PORT=8000 \
    DIGLOT_LOG_FORMAT=json
WORKDIR /srv/diglot
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["python", "-c", "\
import http.client, os, sys; \
api = http.client.HTTPConnection('127.0.0.1', int(os.environ['DIGLOT_PORT']), timeout=4); \
api.request('GET', '/health/ready'); \
sys.exit(api.getresponse().status != 200)"]
ENTRYPOINT ["diglot"]
CMD ["serve"]

# `make image` builds it from the wheel that is released; docs/guides/container.md says how it is used.
FROM python:3.13.5-slim-bookworm AS build
COPY requirements-runtime.lock dist/*.whl /wheel/
RUN python -m venv --without-pip /opt/connector \
 && pip --python /opt/connector/bin/python install --no-cache-dir --no-deps --require-hashes -r /wheel/requirements-runtime.lock \
 && pip --python /opt/connector/bin/python install --no-cache-dir --no-deps --no-index /wheel/*.whl

FROM python:3.13.5-slim-bookworm
COPY --from=build /opt/connector /opt/connector
COPY docker/healthcheck.py /opt/connector/healthcheck.py
RUN useradd --system --uid 10001 --home-dir /srv/connector --create-home --shell /usr/sbin/nologin connector
ENV PATH=/opt/connector/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001
# connector.yaml is mounted here; what is kept between runs stands beside it.
WORKDIR /srv/connector
EXPOSE 8788
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s CMD ["python", "/opt/connector/healthcheck.py"]
ENTRYPOINT ["openai-connector"]
CMD ["serve"]

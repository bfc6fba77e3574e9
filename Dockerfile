# One image for the web, the worker and the migrations: `catalog serve`, `catalog worker`, `catalog migrate`.
FROM python:3.13-slim-bookworm AS build
ENV UV_PROJECT_ENVIRONMENT=/opt/catalog UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never
RUN pip install --no-cache-dir uv==0.13.9
WORKDIR /build
COPY pyproject.toml uv.lock README.md LICENSE ./
RUN uv sync --frozen --no-dev --no-install-project
COPY catalog ./catalog
RUN uv sync --frozen --no-dev --no-editable

FROM python:3.13-slim-bookworm
# git reads and writes estates; put terraform or tofu beside it to apply for real (without one, requests run dry, visibly).
RUN apt-get update && apt-get install --yes --no-install-recommends git && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --create-home --home-dir /var/lib/catalog catalog
COPY --from=build /opt/catalog /opt/catalog
ENV PATH=/opt/catalog/bin:$PATH CATALOG_HOME=/var/lib/catalog CATALOG_HOST=0.0.0.0 PYTHONUNBUFFERED=1
USER catalog
WORKDIR /var/lib/catalog
VOLUME /var/lib/catalog
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/livez', timeout=2)"]
ENTRYPOINT ["catalog"]
CMD ["serve"]

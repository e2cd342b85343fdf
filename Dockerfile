# The dashboards in a container. This file is not built by the project's tests; its steps are those of `make serve`.
#   docker compose up            (see compose.yaml for the port, the password and the results folder)
FROM python:3.12-slim

RUN useradd --create-home workbench
WORKDIR /home/workbench/app
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY workbench workbench
COPY apps apps
COPY data data
RUN pip install --no-cache-dir -c constraints.txt ".[apps]"

USER workbench
EXPOSE 5006
HEALTHCHECK --interval=30s --timeout=5s --start-period=90s \
    CMD python -c "import urllib.request; urllib.request.urlopen('http://127.0.0.1:5006/liveness', timeout=4)"
ENTRYPOINT ["workbench"]
CMD ["serve", "--address", "0.0.0.0", "--port", "5006"]

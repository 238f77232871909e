FROM python:3.12 AS wheels
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_INPUT=1
RUN apt-get update \
 && apt-get install -y --no-install-recommends \
      gcc \
      libffi-dev \
      # for lxml
      libxml2-dev libxslt1-dev \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /build
COPY requirements.txt constraints.txt ./
RUN --mount=type=cache,target=/root/.cache/pip \
    --mount=type=secret,id=pip-conf,target=/etc/pip.conf \
    pip wheel --wheel-dir /wheels -r requirements.txt -c constraints.txt

FROM python:3.12-slim
RUN useradd --create-home --uid 1000 app
RUN --mount=type=bind,from=wheels,source=/wheels,target=/wheels \
    pip install --no-index --find-links=/wheels /wheels/*.whl
COPY --chown=app:app src/ /home/app/src/
USER app
WORKDIR /home/app
ENV PYTHONPATH=/home/app/src PYTHONUNBUFFERED=1
STOPSIGNAL SIGINT
CMD ["python", "-m", "app"]

# An image to build others from
FROM python:3.12-slim
ARG UID=1000
ARG GID=$UID
RUN groupadd --gid "$GID" app && useradd --uid "$UID" --gid "$GID" --create-home app
WORKDIR /home/app
ONBUILD ARG REQUIREMENTS=requirements.txt
ONBUILD COPY --chown=app ${REQUIREMENTS} ./requirements.txt
ONBUILD RUN --mount=type=cache,target=/root/.cache/pip pip install -r requirements.txt
ONBUILD COPY --chown=app . .
ONBUILD USER app
ENTRYPOINT ["python", "-m"]
CMD ["app"]

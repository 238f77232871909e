FROM alpine
RUN --mount=type=cache,target=/root/.cache,sharing=locked,id=pip pip install x

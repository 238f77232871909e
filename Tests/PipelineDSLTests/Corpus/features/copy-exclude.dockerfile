FROM alpine
COPY --exclude=*.md --exclude=!README.md . /c

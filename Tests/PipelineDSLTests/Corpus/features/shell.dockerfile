FROM alpine
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
RUN true | false

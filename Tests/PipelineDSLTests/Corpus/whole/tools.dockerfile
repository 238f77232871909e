FROM alpine:3.20 AS tools
ARG TARGETARCH
RUN apk add --no-cache curl jq yq bash && \
    case "$TARGETARCH" in amd64) arch=x86_64 ;; arm64) arch=aarch64 ;; *) echo "unsupported: $TARGETARCH" >&2; exit 1 ;; esac && \
    curl -fsSL "https://example.com/tool-${arch}.tgz" | tar -xz -C /usr/local/bin && \
    printf '%s\n' "#!/bin/sh" 'exec tool "$@"' > /usr/local/bin/t && chmod +x /usr/local/bin/t
ENV EDITOR=vi PS1="\u@\h:\w\$ "
COPY bashrc "/root/.bashrc"
WORKDIR "/work space"
VOLUME ["/work space", "/cache"]
CMD ["/bin/bash", "-c", "t \"$@\" || { echo 'failed'; exit 1; }", "--"]

FROM alpine
ENV PATH=/opt/bin:$PATH HOME=${HOME:-/root}

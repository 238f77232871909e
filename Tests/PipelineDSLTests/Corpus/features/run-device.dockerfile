FROM alpine
RUN --device=vendor.com/class=name --device=other echo

FROM alpine
COPY --exclude="a b" --exclude=c\ d . /e

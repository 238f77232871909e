FROM alpine
RUN --mount=type=secret,id=token,required=true cat /run/secrets/token

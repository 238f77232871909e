FROM alpine
COPY --link=true a /b
COPY --link=FALSE a /c

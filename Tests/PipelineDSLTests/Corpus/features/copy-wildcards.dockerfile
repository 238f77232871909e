FROM alpine
COPY *.txt docs/**/x?.[ab] /d/

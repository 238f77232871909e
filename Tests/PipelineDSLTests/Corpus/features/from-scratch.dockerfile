FROM scratch
COPY hello /

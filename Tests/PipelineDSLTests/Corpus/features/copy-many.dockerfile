FROM alpine
COPY first-rather-long-file-name second-rather-long-file-name third-rather-long-file-name fourth /destination/

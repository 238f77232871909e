FROM alpine
CMD ["a", \
     "b", \
     # between
     "c"]

# at the top

FROM alpine
# one
# two

# three
RUN echo

# at the end

FROM alpine
CMD ["/usr/bin/env", "--first-option=with-a-value", "--second-option=with-a-value", "--third", "x"]

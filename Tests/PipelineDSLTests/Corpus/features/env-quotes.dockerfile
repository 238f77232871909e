FROM alpine
ENV A="one two" B='three four' C=five\ six

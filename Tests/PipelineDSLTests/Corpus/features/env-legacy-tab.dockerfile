FROM alpine
ENV A	tabbed

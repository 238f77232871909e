FROM alpine
ENV A=#x B="# y"

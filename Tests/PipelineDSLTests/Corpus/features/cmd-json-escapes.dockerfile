FROM alpine
CMD ["tab\t", "uni\u00e9", "quote\"", "back\\slash", "slash\/", "sur\ud83d\ude00", "lone\ud800"]

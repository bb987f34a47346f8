# a comment = not a directive here
FROM alpine:3.20
from  --platform=linux/arm64   ghcr.io/acme/base:1.2.3@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855   as  Build
RUN echo FROM debian
FROM scratch
COPY --from=build /a /a
FROM build AS again
FROM localhost:5000/team/app   
FROM UPPER/case
CMD ["FROM", "x"]

FROM alpine:3.20
RUN <<EOF
FROM evil:1
COPY --from=evil:2 / /
EOF
RUN cat <<"A B" 3<<-'END' && echo <<<notone
FROM evil:3
A B
	FROM evil:4
	END
COPY <<a <<b /dst/
FROM evil:5
a
FROM evil:6
b
RUN echo "<<EOF"
FROM debian:12
RUN python3 - <<EOF \
  --option
FROM evil:7
EOF
RUN echo it's <<EOF
FROM busybox:1
ONBUILD RUN <<EOF
FROM evil:8
EOF
FROM httpd:2.4

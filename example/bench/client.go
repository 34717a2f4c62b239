package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"
)

// A client has one connection, sends requests and reads the answers.
type client interface {
	// ask sends a request and reads the answer, whose body it keeps if keep is set.
	ask(request []byte, keep bool) (reply, error)
	Close() error
}

// A conn is a client of HTTP/1.1. It does no more than the measured servers need, so that
// the client costs little of the machine.
type conn struct {
	net.Conn

	r *bufio.Reader
}

// A stream is a client of HTTP/2 without TLS: that of net/http, which costs much of the
// machine.
type stream struct {
	ctx       context.Context //nolint:containedctx // of the run
	transport *http.Transport
}

func newStream(ctx context.Context) *stream {
	s := &stream{ctx, &http.Transport{DisableCompression: true, Protocols: new(http.Protocols)}}
	s.transport.Protocols.SetUnencryptedHTTP2(true)
	return s
}

func (s *stream) ask(request []byte, keep bool) (a reply, err error) {
	r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(request)))
	if err != nil {
		return a, err
	}
	r.URL.Scheme, r.URL.Host, r.RequestURI = "http", r.Host, ""
	resp, err := s.transport.RoundTrip(r.WithContext(s.ctx))
	if err != nil {
		return a, err
	}
	var body bytes.Buffer
	out := io.Discard
	if keep {
		out = &body
	}
	n, err := io.Copy(out, resp.Body)
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		return a, err
	}
	if resp.StatusCode != http.StatusOK || resp.ProtoMajor != 2 {
		return a, fmt.Errorf("the server answers %s %s", resp.Proto, resp.Status)
	}
	return reply{encoding: resp.Header.Get("Content-Encoding"), length: int(n), body: body.Bytes()}, nil
}

// Close implements client.
func (s *stream) Close() error {
	s.transport.CloseIdleConnections()
	return nil
}

func dial(ctx context.Context, address string, http2 bool) (client, error) {
	if http2 {
		return newStream(ctx), nil
	}
	c, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	return &conn{c, bufio.NewReaderSize(c, 64<<10)}, nil
}

// post is the bytes of a request.
func post(address, path, encoding string, body []byte) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nAccept: application/json\r\nX-Tenant: %s\r\n",
		path, address, tenant)
	if encoding != "" {
		fmt.Fprintf(&b, "Accept-Encoding: %s\r\n", encoding)
	}
	fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n", len(body))
	b.Write(body)
	return b.Bytes()
}

// A reply is what an answer's head says, and its body, if it was asked for.
type reply struct {
	encoding string
	length   int
	body     []byte
}

func (c *conn) ask(request []byte, keep bool) (reply, error) {
	if _, err := c.Write(request); err != nil {
		return reply{}, err
	}
	return c.answer(keep)
}

func (c *conn) answer(keep bool) (a reply, err error) {
	status, err := c.r.ReadSlice('\n')
	if err != nil {
		return a, err
	}
	if !bytes.HasPrefix(status, []byte("HTTP/1.1 200")) {
		return a, fmt.Errorf("the server answers %s", bytes.TrimSpace(status))
	}
	chunked := false
	for {
		line, err := c.r.ReadSlice('\n')
		if err != nil {
			return a, err
		}
		if line = bytes.TrimSpace(line); len(line) == 0 {
			break
		}
		switch line[0] | 0x20 { // the fields that matter begin with c or t
		case 'c', 't':
		default:
			continue
		}
		name, value, _ := strings.Cut(string(line), ":")
		value = strings.TrimSpace(value)
		switch textproto.CanonicalMIMEHeaderKey(name) {
		case "Content-Length":
			if a.length, err = strconv.Atoi(value); err != nil {
				return a, err
			}
		case "Content-Encoding":
			a.encoding = value
		case "Transfer-Encoding":
			chunked = value == "chunked"
		}
	}
	if !chunked {
		a.body, err = c.take(nil, a.length, keep)
		return a, err
	}
	for {
		line, err := c.r.ReadSlice('\n')
		if err != nil {
			return a, err
		}
		n, err := strconv.ParseUint(string(bytes.TrimSpace(line)), 16, 31)
		if err != nil {
			return a, err
		}
		if a.body, err = c.take(a.body, int(n), keep); err != nil {
			return a, err
		}
		if _, err := c.r.Discard(2); err != nil { // the line's end behind a chunk, or behind all
			return a, err
		}
		a.length += int(n)
		if n == 0 {
			return a, nil
		}
	}
}

// take reads n bytes, and appends them to b if keep is set.
func (c *conn) take(b []byte, n int, keep bool) ([]byte, error) {
	if !keep {
		_, err := c.r.Discard(n)
		return nil, err
	}
	at := len(b)
	b = append(b, make([]byte, n)...)
	_, err := io.ReadFull(c.r, b[at:])
	return b, err
}

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// maxAnswer bounds what query reads of an answer.
const maxAnswer = 16 << 20

type queryCommand struct {
	URL     string   `help:"The API's address." default:"http://127.0.0.1:8080/graphql" name:"url" env:"-"`
	Timeout duration `help:"How long to keep trying while the API doesn't answer." default:"30s" env:"-"`
	Query   string   `arg:"" help:"The query, such as '{ providers { slug } }'."`
}

// Run prints the data of one query's answer. A GraphQL error is an error.
func (c *queryCommand) Run(ctx context.Context, p *program) error {
	if u, err := url.Parse(c.URL); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return configError("--url %q: want http://host/graphql", c.URL)
	}
	body, err := json.Marshal(map[string]string{"query": c.Query})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Duration(c.Timeout))
	defer cancel()
	for {
		answer, err := c.ask(ctx, body)
		if err == nil {
			return printAnswer(p.stdout, answer)
		}
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			return &exitError{exitTemporary, err}
		}
	}
}

// ask gives the bytes of an answer, whatever it says; an error if none came.
func (c *queryCommand) ask(ctx context.Context, body []byte) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/graphql-response+json, application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return nil, fmt.Errorf("reading the answer of %s: %w", c.URL, err)
	}
	if response.StatusCode >= http.StatusInternalServerError || !json.Valid(answer) {
		return nil, fmt.Errorf("%s: %s, and no GraphQL answer", c.URL, response.Status)
	}
	return answer, nil
}

func printAnswer(w io.Writer, answer []byte) error {
	var parsed struct {
		Data   json.RawMessage
		Errors []struct{ Message string }
	}
	if err := json.Unmarshal(answer, &parsed); err != nil {
		return &exitError{exitData, fmt.Errorf("not a GraphQL answer: %w", err)}
	}
	var failures []error
	for _, e := range parsed.Errors {
		failures = append(failures, errors.New(e.Message))
	}
	if len(failures) > 0 {
		return &exitError{exitData, errors.Join(failures...)}
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, parsed.Data, "", "  "); err != nil {
		return &exitError{exitData, fmt.Errorf("not a GraphQL answer: %w", err)}
	}
	_, err := fmt.Fprintln(w, indented.String())
	return err
}
